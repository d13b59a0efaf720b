"""Vendors' gateways, played: an integrator tries the service without one."""
