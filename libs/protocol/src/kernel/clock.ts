/** The only way to read the time; tests turn the hands themselves. */
export abstract class Clock {
  abstract now(): Date;
  /**
   * Milliseconds since some moment in this process: for how long something takes or is kept. Unlike {@link now} nobody sets it forwards or
   * back. It means nothing to another process, nor after a restart.
   */
  monotonicMs(): number {
    return this.now().getTime();
  }
  /** Waits about `ms` milliseconds; ends early, without an error, when the signal aborts. */
  abstract wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** `2024-06-01T12:00:00.123000+00:00`, the form in which Python servers write time stamps (inference spec 0). */
export function pythonTimestamp(instant: Date): string {
  const iso = instant.toISOString();
  const [seconds, millis] = [iso.slice(0, 19), iso.slice(20, 23)];
  return millis === '000' ? `${seconds}+00:00` : `${seconds}.${millis}000+00:00`;
}
