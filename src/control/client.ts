import { request } from "node:http";
import { ControlError } from "./control-error.ts";
import type { ResourceName, Resources } from "./resources.ts";

const TIMEOUT_MS = 10_000;

/** Asks the gateway that listens on `socketPath`. Rejects with a ControlError that says what to do about it. */
export async function readResource<Name extends ResourceName>(
  socketPath: string,
  name: Name,
): Promise<Resources[Name]> {
  const { status, body } = await get(socketPath, `/v1/${name}`);
  if (status !== 200)
    throw new ControlError("control-answer", `${socketPath} answered ${status}: ${body.trim()}`);
  try {
    return JSON.parse(body) as Resources[Name];
  } catch (error) {
    throw new ControlError("control-answer", `${socketPath} answered what is not JSON`, { cause: error });
  }
}

function get(socketPath: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const nobody = error.code === "ENOENT" || error.code === "ECONNREFUSED";
      const text = nobody ? "nobody listens; is the gateway running?" : error.message;
      reject(new ControlError("control-connect", `${socketPath}: ${text}`, { cause: error }));
    };
    const asked = request({ socketPath, path, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    asked.on("error", fail);
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    asked.end();
  });
}
