/** The part of tor-request that ichain uses; the package brings no types. */
declare module "tor-request" {
  import type { EventEmitter } from "node:events";

  interface SmallRequest extends EventEmitter {
    abort(): void;
  }
  interface SmallRequestOptions {
    readonly uri: string;
    readonly method?: "PUT";
    readonly body?: Buffer;
    readonly headers: Readonly<Record<string, string>>;
    readonly followRedirect: false;
    readonly gzip: false;
    readonly encoding: null;
    readonly timeout: number;
  }
  const torRequest: {
    /** Sets the SOCKS address of later requests; `host` may start with `user:password@`. */
    setTorAddress(host: string, port: number): void;
    request(options: SmallRequestOptions): SmallRequest;
  };
  export default torRequest;
}
