import pytest

from pipelines.wire.address import address_of


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("http://[::1]:8000", "http://[::1]:8000/chat/completions"),
        ("https://a.b/v1?api-version=1", "https://a.b/v1/chat/completions?api-version=1"),
    ],
)
def test_the_path_goes_between_base_url_and_query(base_url: str, url: str) -> None:
    assert address_of(base_url).url == url


def test_a_path_of_ones_own_is_part_of_the_place() -> None:
    address = address_of("https://gateway.example.com/models", "/qwen/chat")
    assert address.url == address.place == "https://gateway.example.com/models/qwen/chat"


def test_equal_places_are_written_alike() -> None:
    spellings = ["https://Api.Example.com/v1", "https://api.example.com:443/v1/?x=1"]
    assert {address_of(spelling).place for spelling in spellings} == {"https://api.example.com/v1"}


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "box.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
    ],
)
def test_loopback_is_recognised(host: str) -> None:
    assert address_of(f"http://{host}:8000/v1").is_loopback


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.com", "[2001:db8::1]"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not address_of(f"http://{host}/v1").is_loopback


@pytest.mark.parametrize(
    "base_url",
    [
        "https://me:hunter2hunter2@api.example.com/v1",
        "https://hunter2hunter2@api.example.com/v1",
        "https://api.example.com/v1?api_key=hunter2hunter2",
        "https://api.example.com/v1?subscription-key=hunter2hunter2",
        "https://api.example.com:hunter2hunter2/v1",
    ],
)
def test_a_secret_in_the_url_is_refused_and_not_repeated(base_url: str) -> None:
    with pytest.raises(ValueError) as refused:
        address_of(base_url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "base_url",
    ["", "api.openai.com/v1", "ftp://a.b/v1", "http://", "https://a.b/v1/chat/completions"],
)
def test_what_is_no_base_url_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError):
        address_of(base_url)
