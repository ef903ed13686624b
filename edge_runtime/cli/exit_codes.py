"""The exit codes of commands, as in --help."""

EXIT_CODES = """\b
Exit codes:
    0  done, also if there was no digit, or if SIGTERM ended a video, camera or stream
    1  a picture was missing or unreadable (the others were read)
    2  an invalid option, or a package that is not installed
    3  a camera, stream, bucket or cluster is unavailable, or a camera or stream stopped sending frames
    4  the model was refused
    5  the network gives wrong results on this machine
    6  an output could not be written
  130  Ctrl-C
  143  SIGTERM ended a batch
"""
