"""Everything that edge_runtime raises on purpose.

EdgeError                                    exit code of the command line
+ OptionError       (ValueError)             2   an option or argument makes no sense
+ DependencyMissing (ImportError)            2   a package is not installed; the message names the install line
+ PictureError      (ValueError)             1   a picture cannot be read
  - PictureTooLarge                              more than 50 megapixels
+ SourceError       (OSError)                3   a camera or stream gives no frame, a bucket no file, a cluster nothing
+ ModelError        (ValueError)             4   a model file cannot be used
  - ModelCorrupt                                 its bytes are not the ones that were released
  - ContractMismatch                             it was made for another version of the 28x28 contract
+ CheckFailed       (AssertionError)         5   this machine does not answer as it must
+ OutputError       (OSError)                6   a result cannot be written
"""


class EdgeError(Exception):
    """Base of every error here. `str(error)` is one line: what, where, how to mend it."""

    exit_code = 1


class OptionError(EdgeError, ValueError):
    """An option or argument makes no sense."""

    exit_code = 2


class DependencyMissing(EdgeError, ImportError):
    """A package is missing; the message names the command that installs it."""

    exit_code = 2


class PictureError(EdgeError, ValueError):
    """A picture is missing, truncated, of an unknown format or otherwise unreadable."""

    exit_code = 1


class PictureTooLarge(PictureError):
    """A picture has more pixels than `pictures.MAX_PIXELS`; it was not decoded."""


class SourceError(EdgeError, OSError):
    """A camera, stream, bucket or cluster is unavailable, or a camera or stream stopped sending frames."""

    exit_code = 3


class ModelError(EdgeError, ValueError):
    """A model file cannot be used."""

    exit_code = 4


class ModelCorrupt(ModelError):
    """A model file's bytes do not match the hash in its card."""


class ContractMismatch(ModelError):
    """A model file was made for another version of the 28x28 contract."""


class CheckFailed(EdgeError, AssertionError):
    """A check failed: this machine does not give the required result."""

    exit_code = 5


class OutputError(EdgeError, OSError):
    """A result cannot be written."""

    exit_code = 6
