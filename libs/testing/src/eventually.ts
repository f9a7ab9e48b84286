/** Resolves with what `check` returns as soon as it neither throws nor returns false; throws its last error after `timeout_ms`. */
export async function eventually<T>(check: () => T | Promise<T>, timeout_ms = 10_000): Promise<T> {
  const deadline = performance.now() + timeout_ms;
  for (;;) {
    try {
      const result = await check();
      if (result !== false) return result;
      if (performance.now() > deadline) throw new Error(`still false after ${timeout_ms} ms`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
