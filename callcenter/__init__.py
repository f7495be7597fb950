"""Hotline: the voice service of a property company's resident hotline (物业客服热线)."""

__version__ = "0.1.0"
