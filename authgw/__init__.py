"""authgw: the authenticating gateway in front of VoIPmonitor's GUI and Web API."""

__version__ = "0.1.0"
