"""S43: which URLs and addresses may be asked."""

import pytest

from libs.kit.outbound import Gate, UrlRefused
from libs.kit.settings import OutboundSettings


def gate(**settings: object) -> Gate:
    return Gate(OutboundSettings.model_validate(settings))


class TestUrls:
    """B121: what a URL may look like."""

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("file:///etc/passwd", "scheme"),
            ("gopher://example.com/", "scheme"),
            ("ftp://example.com/", "scheme"),
            ("unix:/run/x.sock", "scheme"),
            ("data:text/plain,x", "scheme"),
            ("http://example.com/", "scheme"),
            ("example.com", "scheme"),
            ("https://user:p@example.com/", "credentials"),
            ("https://user@example.com/", "credentials"),
            ("https://@example.com/", "credentials"),
            ("https://example.com#@evil.example/", "fragment"),
            ("https://example.com/#", "fragment"),
            ("https://evil.example\\@example.com/", "characters"),
            ("https://example.com/\n", "characters"),
            ("https://exa\tmple.com/", "characters"),
            ("https://example.com/a b", "characters"),
            ("https://ex\u0430mple.com/", "characters"),
            ("https://example.com:22/", "port"),
            ("https://example.com:25/", "port"),
            ("https://example.com:6379/", "port"),
            ("https://example.com:99999/", "port"),
            ("https://example.com/" + "a" * 10_000, "too_long"),
            ("https://2130706433/", "host"),
            ("https://0x7f000001/", "host"),
            ("https://0x7f.0.0.1/", "host"),
            ("https://127.1/", "host"),
            ("https://example.1/", "host"),
            ("https://localhost./", "host"),
            ("https://a..b/", "host"),
            ("https:///path", "host"),
            ("https://ex%61mple.com/", "host"),
            ("https://[fe80::1%25eth0]/", "address"),
            ("https://0177.0.0.1/", "unreadable"),
            ("https://127.0.0.1/", "address"),
            ("https://[::ffff:7f00:1]/", "address"),
            ("https://[::1]/", "address"),
        ],
    )
    def test_a_url_is_refused(self, url: str, reason: str) -> None:
        with pytest.raises(UrlRefused) as refused:
            gate().read(url)

        assert refused.value.details == {"reason": reason}

    @pytest.mark.parametrize(
        "url",
        ["https://example.com/", "https://example.com:443/a?b=c", "https://xn--80ak6aa92e.com/"],
    )
    def test_an_ordinary_url_is_taken(self, url: str) -> None:
        gate().read(url)

    def test_settings_add_ports_and_plain_http(self) -> None:
        wider = gate(ports="443,8200,80", allow_http="true")

        wider.read("http://example.com/")
        wider.read("https://example.com:8200/")


class TestAddresses:
    """Where a host may be."""

    @pytest.mark.parametrize(
        "address",
        [
            *("0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254"),
            *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1"),
            *("198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
            *("100.100.100.200", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
            *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
            *("::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::"),
            *("2002:a9fe:a9fe::1", "2001::1", "2001:db8::1", "fc00::1", "fd00:ec2::254"),
            *("fe80::1", "fe80::1%1", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1"),
        ],
    )
    def test_an_address_that_is_not_public_is_refused(self, address: str) -> None:
        with pytest.raises(UrlRefused):
            gate().check_addresses([address])

    @pytest.mark.parametrize(
        "address",
        ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
    )
    def test_a_public_address_is_taken(self, address: str) -> None:
        gate().check_addresses([address])

    def test_one_bad_address_among_good_ones_is_enough(self) -> None:
        with pytest.raises(UrlRefused):
            gate().check_addresses(["1.1.1.1", "2606:4700::1111", "10.0.0.1"])

    @pytest.mark.parametrize("count", [0, 100])
    def test_none_and_a_hundred_are_refused(self, count: int) -> None:
        with pytest.raises(UrlRefused):
            gate().check_addresses([f"1.1.1.{n}" for n in range(count)])

    def test_settings_open_a_private_network(self) -> None:
        wider = gate(networks="10.0.0.0/8, fc00::/7")

        wider.check_addresses(["10.1.2.3", "::ffff:10.1.2.3", "fc00::1"])
        with pytest.raises(UrlRefused):
            wider.check_addresses(["192.168.0.1"])

    def test_a_wide_network_does_not_open_what_clouds_tell_their_machines(self) -> None:
        wider = gate(networks="0.0.0.0/0,::/0")

        wider.check_addresses(["127.0.0.1", "10.0.0.1", "::1"])
        for address in (
            "169.254.169.254",
            "100.100.100.200",
            "fd00:ec2::254",
            "0.0.0.0",
            "224.0.0.1",
        ):
            with pytest.raises(UrlRefused):
                wider.check_addresses([address])
        gate(networks="169.254.169.254/32").check_addresses(["169.254.169.254"])
