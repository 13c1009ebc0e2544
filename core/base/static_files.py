"""Static files under names that carry their digest, scripts that import one another included."""

from collections.abc import Iterable, Iterator
from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Our own modules import each other by name (`from "./codes.js";`), which is rewritten as a style sheet's url() is.

    So a page and everything it loads are of one version, and a browser may keep each file for good.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r"""(?P<matched>from "(?P<url>\.[^"]+)";)""", 'from "%(url)s";'),)),
    )

    def create_compressor(self, **options: Any) -> Compressor:
        """Gzip alone, on every machine: Brotli is installed where tests are written, and took twenty seconds."""
        return Compressor(use_brotli=False, **options)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Only under the names that pages ask for, and no maps of sources: all the rest took a minute."""
        asked_for = set(self.hashed_files.values())
        return super().compress_files(path for path in paths if path in asked_for and not path.endswith(".map"))
