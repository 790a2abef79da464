"""ichain for notebooks: a client over ``ichain --json``, with the standard library alone.

    from ichain_client import Client

    client = Client()
    with client.serving():
        job = client.submit("job.yaml")
        for event in client.follow(job["jobId"]):
            print(event["state"])
        print(client.get(job["jobId"], out="model")["files"])

Calls return what ``--json`` prints (docs/reference/json.md): amounts are decimal strings in the smallest unit, which
``int`` reads. Failures are ``IchainError``.
"""

from .client import Client
from .errors import IchainError

__all__ = ["Client", "IchainError"]
