# %% [markdown]
# # A job from a notebook
#
# Open this file as a notebook (VS Code and Jupytext read the marks `# %%`), with ichain installed, a wallet, and
# `PYTHONPATH` with the folder `python` of the package: `$(npm root -g)/ichain/python`. docs/sdk.md has the rest.

# %%
from pathlib import Path

from ichain_client import Client, IchainError

client = Client()
job_file = Path(__file__).resolve().parent.parent / "digits" / "job.yaml" if "__file__" in globals() else "job.yaml"
print("I am", client.address())

# %% What would it cost, and what is the worst that can happen?
quote = client.quote(job_file)
for branch in quote["branches"]:
    print(f"{branch['outcome']:>12}: at most {int(branch['loss']) / 10**18:.4f} {quote['token']['symbol']}")

# %% A failure has a code and a hint.
try:
    client.quote(job_file, variables={"epochs": 20})
except IchainError as error:
    print(error.code, "-", error.hint)

# %% Post it, for no more than that, and follow it while this notebook acts for it.
with client.serving():
    job = client.submit(job_file, most=quote["locked"])["jobId"]
    for event in client.follow(job):
        print(event["state"])

# %% The result's files, and the end of the log that came with them.
result = client.get(job, out="digits-model")
print("".join(client.logs(job))[-300:])
for file in result["tensorFiles"]:
    print(file["file"], [(tensor["name"], tensor["shape"]) for tensor in file["tensors"]])
client.rate(job, 5)
print(client.job(job)["state"], result["files"])
