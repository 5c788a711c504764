declare module 'libsodium-sumo' {
  /** Compiles a fresh instance of the wasm module with its own memory. */
  export default function instantiate(options: {
    readonly getRandomValue: () => number
  }): Promise<import('./sodium.ts').Sodium>
}
