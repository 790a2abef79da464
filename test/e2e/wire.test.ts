import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { digits, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

// The direct transport, so that nothing but ichain's own encryption stands between capture and content.
it(
  "what crosses the network holds no plaintext of the bundle or the result",
  // It sees all of the loopback interface: what other tests show on a page is no secret of this job.
  needs("root", "docker", "tcpdump", "alone"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const file = join(market.dir, "capture.pcap");
    const capture = spawn("tcpdump", ["-i", "lo", "-s", "0", "-U", "--immediate-mode", "-w", file, "tcp"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    t.after(() => capture.kill());
    for await (const line of createInterface({ input: capture.stderr }))
      if (line.includes("listening on")) break;

    const out = join(market.dir, "out");
    await market.ichain([
      "submit",
      digits,
      "--provider",
      "best",
      "--validator",
      "best",
      "--wait",
      "--out",
      out,
    ]);
    capture.kill("SIGINT");
    await once(capture, "close");

    const seen = await readFile(file);
    const model = await readFile(join(out, "model.safetensors"));
    const source = await readFile(digits.replace("job.yaml", "task.py"));
    // The capture is one of these very transfers: sizes prove it, and so does what is not secret.
    assert.ok(seen.length > model.length, `${seen.length} bytes captured`);
    assert.ok(seen.includes("GET /v1/"));
    for (const [what, secret] of Object.entries({
      "the task's code": source.subarray(0, 20),
      "a file's name": Buffer.from("model.safetensors"),
      "the result's head": model.subarray(0, 16),
      "the result's tail": model.subarray(-24),
      "a tensor's name": Buffer.from("hidden.weight"),
      "a metric": Buffer.from("acc: 0."),
    })) {
      assert.equal(seen.indexOf(secret), -1, what);
    }
  },
);
