import { request } from "node:http";
import type { FixedAnswer } from "./places.ts";

/** What a gateway answers on its socket. Rejects when it refuses. */
export function answerOf(socketPath: string, path: string): Promise<FixedAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false }, (response) => {
      const { statusCode: status = 0, headers } = response;
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject);
      response.on("end", () => {
        if (status !== 200) reject(new Error(`${path} is answered with ${status}`));
        else resolve({ status, headers: { "Content-Type": headers["content-type"] ?? "" }, body });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
