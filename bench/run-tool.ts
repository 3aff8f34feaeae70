import { spawn } from "node:child_process";

/** Runs a program that prints one line of JSON. Rejects with what it complains about. */
export function runTool<Output>([program = "", ...words]: readonly string[]): Promise<Output> {
  return new Promise((resolve, reject) => {
    const tool = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let complaint = "";
    tool.stdout.on("data", (data) => {
      output += data;
    });
    tool.stderr.on("data", (data) => {
      complaint += data;
    });
    tool.once("error", reject);
    tool.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as Output);
      else reject(new Error(complaint.trim() || `${program} ended with ${code}`));
    });
  });
}
