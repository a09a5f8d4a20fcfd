"""The two HTML pages that do not come from the console's build."""

from typing import Final

DOCUMENTATION: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OPS Job API</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs-assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-schema="/api/schema/"></div>
<noscript>The description of the API is at <a href="/api/schema/">/api/schema/</a>.</noscript>
<script src="/docs-assets/swagger-ui-bundle.js"></script>
<script src="/docs-assets/init.js"></script>
</body>
</html>
"""

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OPS Job</title>
</head>
<body>
<h1>The console is not built yet</h1>
<p>The API works. To get the console, run <code>make setup</code> in the repository
and reload this page.</p>
<p lang="zh">控制台尚未构建。请在代码仓库中运行 <code>make setup</code>，然后刷新本页面。</p>
</body>
</html>
""".encode()
