"""The console: pages for agents and supervisors on the main application."""

from callcenter.web.console import add_console

__all__ = ["add_console"]
