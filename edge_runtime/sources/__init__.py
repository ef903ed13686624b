"""Sources: pictures, videos, cameras and streams -> frames."""
