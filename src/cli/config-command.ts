import { Command } from "commander";
import type { CommandContext } from "./process.ts";
import { screenFor } from "./screen.ts";

/** `lacewing config`: a configuration file as the gateway reads it, without a gateway. */
export function configCommand(context: CommandContext): Command {
  return new Command("config").description("look at a configuration file as the gateway reads it").addCommand(
    new Command("show")
      .description("show every value with where it comes from: a line of the file, or the default")
      .requiredOption("-c, --config <file>", "the configuration")
      .option("--json", "as JSON")
      .action(async ({ config, json }: { readonly config: string; readonly json?: true }) => {
        const { explainConfig } = await import("../config/explain-config.ts");
        const { formatTable } = await import("./table.ts");
        const values = explainConfig(config);
        const columns = [
          { title: "KEY", value: ({ path }: (typeof values)[number]) => path },
          { title: "VALUE", value: ({ value }: (typeof values)[number]) => value },
          { title: "ORIGIN", value: ({ origin }: (typeof values)[number]) => origin },
        ];
        const text = json
          ? `${JSON.stringify(values, null, 2)}\n`
          : formatTable(columns, values, screenFor(context));
        context.stdout.write(text);
      }),
  );
}
