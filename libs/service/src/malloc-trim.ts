/**
 * Gives back to the system what the C library holds of memory that was freed: of buffers, above all. By itself glibc gives back
 * only what lies behind all that is still used (malloc_trim(3)). It takes some milliseconds, in which nothing else runs, and
 * does nothing with other C libraries.
 */
export async function mallocTrim(): Promise<void> {
  let trim: (pad_bytes: number) => number;
  try {
    const { default: koffi } = await import('koffi');
    trim = koffi.load('libc.so.6').func('int malloc_trim(size_t pad)') as typeof trim;
  } catch {
    // Another C library, or a machine that koffi does not know.
    return;
  }
  trim(0);
}
