/** How tests start Node. */

/**
 * The embedded database's code is translated when it is first run, and once: the better translation, which pays for itself
 * after minutes, would take more of the machine than the tests do. `.taprc` says the same of the tests themselves.
 */
export const NODE = [process.execPath, '--wasm-lazy-compilation', '--liftoff-only'] as const
