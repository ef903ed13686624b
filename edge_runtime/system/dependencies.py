"""Which packages to install after a failed import."""

from edge_runtime.errors import DependencyMissing

# By the missing top-level module.
REMEDIES = {
    "numpy": "pip install numpy",
    "cv2": "pip install opencv-python (or opencv-python-headless, or apt install python3-opencv)",
    "PIL": "pip install pillow",
    "click": "pip install click",
    "paho": "pip install 'edge-digits[mqtt]'",
    "starlette": "pip install 'edge-digits[serve]'",
    "uvicorn": "pip install 'edge-digits[serve]'",
    "prometheus_client": "pip install 'edge-digits[serve]'",
    "multipart": "pip install 'edge-digits[serve]'",
    "python_multipart": "pip install 'edge-digits[serve]'",
    "cryptography": "pip install 'edge-digits[tls]'",
    "fsspec": "pip install 'edge-digits[batch]'",
    "pyarrow": "pip install 'edge-digits[batch]'",
    "pypdfium2": "pip install 'edge-digits[batch]'",
    "ray": "pip install 'edge-digits[batch,ray]'",
    "picamera2": "sudo apt install python3-picamera2, and python3 -m venv --system-site-packages for the environment",
}


def explain(error: ImportError) -> DependencyMissing:
    """Return the failure as one line that names the remedy."""
    if isinstance(error, DependencyMissing):
        return error
    if error.name is None or "shared object file" in str(error):
        library = str(error).split(":")[0]
        if library.startswith(("libGL", "libgthread", "libglib", "libSM", "libXext", "libxcb")):
            return DependencyMissing(
                f"OpenCV needs {library}, which this system lacks: apt install libgl1 libglib2.0-0, or use the OpenCV "
                "without windows: pip uninstall opencv-python && pip install opencv-python-headless"
            )
    if "multiarray failed to import" in str(error):  # the message if OpenCV and numpy disagree on their ABI
        return DependencyMissing(
            "this OpenCV was built for another numpy version: pip install --upgrade the OpenCV package, or 'numpy<2'"
        )
    remedy = REMEDIES.get((error.name or "").partition(".")[0])
    return DependencyMissing(f"{error}: {remedy}" if remedy else str(error))
