import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  /** Flags of dockerd for the server's certificate. */
  readonly flags: readonly string[];
  /** The client's certificate and key, PEM. */
  readonly client: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** A new certificate authority in `dir`, with certificates for a server on the loopback address and for a client. */
export function makeCertificates(dir: string): Certificates {
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore", cwd: dir });
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"];
  openssl("req", "-x509", ...fresh, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test");
  for (const [name, use] of [
    ["server", "serverAuth"],
    ["client", "clientAuth"],
  ] as const) {
    writeFileSync(
      file(`${name}.ext`),
      `extendedKeyUsage=${use}\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n`,
    );
    openssl(
      "req",
      ...fresh.slice(0, 5),
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...signed,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
  }
  const text = (name: string) => readFileSync(file(name), "utf8");
  return {
    flags: [
      "--tlsverify",
      `--tlscacert=${file("ca.pem")}`,
      `--tlscert=${file("server.pem")}`,
      `--tlskey=${file("server.key")}`,
    ],
    client: { ca: text("ca.pem"), cert: text("client.pem"), key: text("client.key") },
  };
}
