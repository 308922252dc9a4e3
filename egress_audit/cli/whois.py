"""`egress-audit whois`: what the lists know of a host, an address or an AS."""

import click

from egress_audit.cli.output import deliver, terminal_width, wants_colour
from egress_audit.cli.report_options import catalogue_option, lists_option, page_format_option


@click.command()
@click.argument("what", metavar="HOST|ADDRESS|ASN")
@page_format_option
@catalogue_option
@lists_option
def whois(what: str, form: str, catalogue: tuple[str, ...], lists: tuple[str, ...]) -> int:
    """Say who is behind a host, an address or an AS number, from the lists that come along.

    Nothing is asked of any network: a host is not resolved. A port can stand behind it, as in
    ollama.com:443 or [2001:db8::1]:53/udp. The exit code is 0 also for what no list knows.
    """
    from egress_audit.api import look_up
    from egress_audit.report.whois import whois_json, whois_markdown, whois_text

    found = look_up(what, catalogue=catalogue, lists=lists)
    if form == "text":
        deliver(whois_text(found, colour=wants_colour(None), width=terminal_width(None)), None)
    else:
        deliver({"json": whois_json, "markdown": whois_markdown}[form](found), None)
    return 0
