/** Changes the level of the log for a time, and says so in the log where that is heard. */
import type { Clock } from '../clock.js';
import { type EventLog, logEvent } from './events.js';
import type { RuntimeLevel } from './runtime-level.js';

export function changeLevel(
  runtimeLevel: RuntimeLevel,
  eventLog: EventLog,
  clock: Clock,
  { level, forMs }: { readonly level: string; readonly forMs: number },
): void {
  const tell = () => logEvent(eventLog, { event: 'log.level-changed', level, forMs });
  const isHeardBefore = eventLog.isLevelEnabled('info');
  if (isHeardBefore) tell();
  runtimeLevel.change(level, forMs, clock, (usual) =>
    logEvent(eventLog, { event: 'log.level-restored', level: usual }),
  );
  if (!isHeardBefore) tell();
}
