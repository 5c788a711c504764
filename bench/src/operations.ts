/** The operations that everything is made of, and who does them. */
export const OPERATIONS = {
  sign: 'Ed25519 sign, 208 B',
  verify: 'Ed25519 verify, 208 B',
  agree: 'X25519 shared secret',
  seal: 'ChaCha20-Poly1305 seal, 484 B',
  open: 'ChaCha20-Poly1305 open, 484 B',
  blake2b: 'BLAKE2b-256, 484 B',
  blake3: 'BLAKE3-256, 484 B',
  sha256: 'SHA-256, 484 B',
} as const

export type Operation = keyof typeof OPERATIONS

export const IMPLEMENTATIONS = [
  { id: 'ours', title: 'nexus for Node' },
  { id: 'noble', title: 'noble (the portable provider)' },
  { id: 'node', title: 'node:crypto, keys imported before' },
  { id: 'libsodium', title: 'libsodium, wasm' },
] as const

/** Which implementations have no such operation: node:crypto has BLAKE2b-512 alone, libsodium no BLAKE3. */
export const LACKING: Readonly<Record<string, readonly Operation[]>> = {
  node: ['blake2b', 'blake3'],
  libsodium: ['blake3'],
}

export function operationId(implementation: string, operation: Operation): string {
  return `${implementation}/${operation}`
}
