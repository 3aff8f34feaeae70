import type { Logger } from "../base/logger.ts";
import type { Config, ControlAddress } from "../config/config.ts";
import { loadConfig, loadConfigSteps } from "../config/load.ts";
import { loadPage } from "../control/page.ts";
import { type ControlServer, startControlServer } from "../control/server.ts";
import { stepsInTurns } from "../gateway/turns.ts";
import { GatheredLines } from "./gathered-lines.ts";
import { createLogger, moreTalkative } from "./log.ts";
import { type CommandContext, EXIT_FAILED, EXIT_OK, type StoppableGateway } from "./process.ts";
import { StopSignals } from "./stop-signals.ts";
import { feedWatchdog } from "./watchdog.ts";

/** `lacewing run`: the gateway, until SIGTERM or SIGINT. */
export async function run(configPath: string, context: CommandContext): Promise<number> {
  const config = loadConfig(configPath);
  const pretty = context.stdout.isTTY === true;
  const lines = new GatheredLines(context.stdout);
  context.onExit(() => lines.flush());
  const logger = createLogger({ level: config.log.level, pretty, sink: lines });
  let gateway: StoppableGateway | undefined;
  const api: Api = { addresses: config.control.listen };
  const onHangUp = () => {
    if (gateway === undefined) logger.warn({}, "SIGHUP ignored: the gateway is still starting");
    else void reloadOnSignal(gateway, logger);
  };
  context.signals.on("SIGHUP", onHangUp);
  const stopSignals = new StopSignals(context.signals, (signal) => {
    logger.warn({ signal }, "second signal, ending at once");
    context.exitNow(EXIT_FAILED);
  });
  try {
    logger.info({ name: config.name, version: context.version, config: configPath }, "starting");
    const reading = {
      read: async () => (await stepsInTurns(loadConfigSteps(configPath))).config,
      // the reload itself is told to whom either level lets hear of it
      applying: ({ log }: Config) => {
        logger.level = moreTalkative(logger.level, log.level);
      },
      applied: async ({ log, control }: Config) => {
        logger.level = log.level;
        api.addresses = control.listen;
        const problems = (await api.server?.reconfigure(control.listen)) ?? [];
        for (const problem of problems)
          logger.error({ problem }, "a change of the configuration could not be made");
        return problems;
      },
    };
    gateway = await context.startGateway(config, { logger, reading });
    const end = await serve(config.control.socket, api, gateway, logger, stopSignals, context);
    logger.info({ reason: end.reason }, "stopped");
    return end.failed ? EXIT_FAILED : EXIT_OK;
  } finally {
    stopSignals.dispose();
    context.signals.off("SIGHUP", onHangUp);
    lines.flush();
  }
}

/** Goes on with the configuration file as it is now; a wrong one changes nothing. What has changed is in the log. */
async function reloadOnSignal({ operations }: StoppableGateway, logger: Logger): Promise<void> {
  try {
    await operations.reload(false);
  } catch (error) {
    const fields = { reason: (error as Error).message };
    logger.error(fields, "the configuration could not be reloaded; the gateway goes on as before");
  }
}

/** Where operators' tools ask, as the configuration says now. */
interface Api {
  addresses: readonly ControlAddress[];
  /** Undefined before it is open, and when the gateway stops. */
  server?: ControlServer;
}

/** Why the gateway stopped: told to, or because it could not go on. */
interface End {
  readonly reason: string;
  readonly failed: boolean;
}

/** Serves until a signal comes or the gateway fails; stops the gateway also when it cannot be served. */
async function serve(
  socketPath: string,
  api: Api,
  gateway: StoppableGateway,
  logger: Logger,
  stopSignals: StopSignals,
  context: CommandContext,
): Promise<End> {
  let end: End = { reason: "no control socket", failed: true };
  const stopFeeding = watchdog(context, logger);
  try {
    const { version } = context;
    const server = await startControlServer(gateway.operations, {
      socketPath,
      addresses: api.addresses,
      version,
      logger,
      page: loadPage(),
    });
    api.server = server;
    try {
      await tell("READY=1", context, logger);
      logger.info({ socket: socketPath }, "ready");
      end = await Promise.race([
        stopSignals.first().then((reason) => ({ reason, failed: false })),
        gateway.failed.then((reason) => ({ reason, failed: true })),
      ]);
      logger.info({ reason: end.reason }, "stopping");
      await tell("STOPPING=1", context, logger);
    } finally {
      delete api.server;
      await server.close();
    }
  } finally {
    await gateway.stop(end.reason);
    stopFeeding();
  }
  return end;
}

/** Who started us may want to know; that he cannot be told is no reason to serve nobody. */
async function tell(state: string, { notify }: CommandContext, logger: Logger): Promise<void> {
  try {
    await notify(state);
  } catch (error) {
    const fields = { state, error: (error as Error).message };
    logger.warn(fields, "who started the gateway (NOTIFY_SOCKET) could not be told how it is");
  }
}

/** Feeds systemd's watchdog, if there is one, until the returned function is called. */
function watchdog({ watchdogIntervalMs, notify }: CommandContext, logger: Logger): () => void {
  if (watchdogIntervalMs === undefined) return () => {};
  return feedWatchdog(notify, watchdogIntervalMs, (error) =>
    logger.error({ error: error.message }, "systemd's watchdog could not be told that we are well"),
  );
}
