"""Static files under names that carry their digest, scripts that import one another included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Our own modules import each other by name (`from "./codes.js";`), which is rewritten as a style sheet's url() is.

    So a page and everything it loads are of one version, and a browser may keep each file for good.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r"""(?P<matched>from "(?P<url>\.[^"]+)";)""", 'from "%(url)s";'),)),
    )
