import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Response } from "playwright-core";
import { endpoints } from "../../scripts/reference/openapi.ts";
import { asOwnerOf } from "../../src/devnet/homes.ts";
import { bareEnvironment } from "../support/binary.ts";
import { digits, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";
import { CHROMIUM, linkOf, openBrowser, openTab, picture } from "../support/web/browser.ts";

/** What is wrong with an answer of the API, by its description. */
async function misfitOf(response: Response): Promise<string | undefined> {
  const { pathname } = new URL(response.url());
  const method = response.request().method();
  const endpoint = endpoints.find(
    (one) => one.method === method && new RegExp(`^${one.path.replace(/:\w+/g, "[^/]+")}$`).test(pathname),
  );
  if (endpoint === undefined || response.status() !== 200) return undefined;
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = body === undefined ? undefined : endpoint.output.safeParse(body);
  return parsed?.success === false ? `${method} ${pathname}: ${parsed.error.message}` : undefined;
}

const WAIT_MS = 120_000;
const binary = fileURLToPath(new URL("../../bin/ichain.js", import.meta.url));

test(
  "a whole job from the page, with the mouse: chosen, posted, followed, opened and rated; then a matrix",
  needs("root", "docker", "tor", CHROMIUM),
  async (t) => {
    const market = await startTestMarket(t, { transport: "onion" });
    const { requester, dir } = market;
    await cp(dirname(digits), join(dir, "work", "digits"), { recursive: true });
    // Without a password: the page asks for it.
    const { ICHAIN_PASSWORD_FILE: _, ...env } = { ...asOwnerOf(requester), CI: "1" } as Record<
      string,
      string
    >;
    const child = spawn(process.execPath, [binary, "web", "--json"], {
      cwd: join(dir, "work"),
      env: bareEnvironment(env),
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const link = await linkOf(child);
    const page = await openTab(await openBrowser(t));
    const misfits: string[] = [];
    page.on("response", (response) => {
      void misfitOf(response).then((misfit) => misfit && misfits.push(misfit));
    });
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(link);
    await page.getByText("No jobs yet.").waitFor();
    assert.doesNotMatch(page.url(), /token/);

    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "New job" }).click();
    await page.getByRole("button", { name: "sklearn" }).click();
    await page.locator("button:enabled", { hasText: "See who could do it" }).waitFor();
    assert.equal(await page.getByLabel("Folder or job.yaml").inputValue(), "sklearn/job.yaml");
    await page.getByLabel("Folder or job.yaml").fill("");
    await page.getByRole("button", { name: "digits/job.yaml" }).click();
    await page.getByRole("button", { name: "See who could do it" }).click();
    await page.getByRole("radio", { name: `Provider ${market.providers[0]!.account}` }).click();
    const post = (path: string, body: object) =>
      page.evaluate(
        async ([at, json]) => {
          const headers = { "content-type": "application/json", "x-page-key": localStorage.getItem("key")! };
          const init = { method: "POST", headers, body: json! };
          return ((await (await fetch(at!, init)).json()) as { error?: { code: string } }).error?.code;
        },
        [path, JSON.stringify(body)],
      );
    const submission = { file: "digits", most: "1" };
    assert.equal(await post("/api/submit", submission), "WEB_LOCKED");
    await page.getByRole("button", { name: "Lock the money" }).click();
    await page.getByLabel("Wallet password").fill("not the password");
    await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
    await page.getByText("WALLET_WRONG_PASSWORD").waitFor();
    await page.getByLabel("Wallet password").fill((await readFile(requester.passwordFile, "utf8")).trim());
    await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();

    await page.getByRole("heading", { level: 1, name: "Job digits" }).waitFor();
    const job = page.url().split("/").at(-1)!;
    assert.equal(await post("/api/submit", submission), "BUDGET_EXCEEDED", "more than was agreed to");
    await page.getByRole("button", { name: "Open the result" }).click();
    await page.getByRole("rowheader", { name: "model.safetensors" }).waitFor();
    assert.ok(
      (await readFile(join(dir, "work", `result-${job.slice(2, 10)}`, "model.safetensors"))).length > 0,
    );
    await page.getByRole("button", { name: "Show the log" }).click();
    await page.locator("pre.log").getByText("epoch 60 of 60").waitFor();
    await page.getByRole("button", { name: "Rate the provider" }).click();
    await page.getByRole("button", { name: "Rate the provider" }).waitFor({ state: "detached" });
    await picture(page, "settled");

    // The page says what the command line says.
    const { stands } = await market.ichain(["why", job]);
    await page.getByText(String(stands)).waitFor();
    await page.getByRole("link", { name: "Pools" }).click();
    await page.getByText("No job is under way.").waitFor();
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("radio", { name: "All (1)" }).click();
    await page.getByRole("row", { name: /digits requester Settled/ }).waitFor();
    await page.getByRole("link", { name: "Work" }).click();
    await page.getByText("By their terms it would take").waitFor();
    assert.deepEqual(
      page.complaints.filter((text) => !text.includes("status of 409")),
      [],
    );

    await page.getByRole("button", { name: "Pay out what the escrow owes" }).click();
    await page.getByText("The escrow owes this account nothing.").waitFor();

    const matrix = "variables: {seed: 1}\nmatrix: {seed: [1, 2]}\n";
    await cp(dirname(digits), join(dir, "work", "sweep"), { recursive: true });
    await appendFile(join(dir, "work", "sweep", "job.yaml"), matrix);
    await page.getByRole("link", { name: "New job" }).click();
    await page.getByLabel("Folder or job.yaml").fill("sweep");
    await page.getByRole("button", { name: "See who could do it" }).click();
    assert.equal(await post("/api/submit", { file: "sweep", most: "1" }), "BUDGET_TOO_LOW");
    await page.getByRole("button", { name: "Lock the money and post 2 jobs" }).click();
    await page.getByRole("radio", { name: "All (3)" }).waitFor();
    assert.deepEqual(misfits, []);

    const ended = once(child, "exit");
    child.kill("SIGINT");
    await page.getByText("The connection is lost").waitFor();
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual((await market.ichain(["status"])).daemons, []);
  },
);
