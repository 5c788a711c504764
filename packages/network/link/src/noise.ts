import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { type Crypto, CryptoError, type EphemeralKey, wipe } from '@nexus/crypto'

/** The handshakes this project uses (Noise revision 34, 25519, ChaChaPoly, BLAKE2b). */
export type NoisePattern = 'XX' | 'XXpsk3' | 'NNpsk0' | 'IK'

/** A static X25519 key: an `Identity` gives it as `{ publicKey: agreementKey, agree }`. */
export interface NoiseStaticKey {
  readonly publicKey: Uint8Array
  /** The shared secret; throws `CryptoError` where it is all zero. */
  agree(theirPublicKey: Uint8Array): Uint8Array
}

export interface NoiseOptions {
  readonly crypto: Crypto
  readonly pattern: NoisePattern
  readonly initiator: boolean
  readonly prologue: Uint8Array
  /** Fresh, and given up with {@link NoiseHandshake.split} or {@link NoiseHandshake.wipe}. */
  readonly ephemeralKey: EphemeralKey
  /** Own static key: XX, XXpsk3, IK. */
  readonly staticKey?: NoiseStaticKey
  /** The responder's static public key, known beforehand: IK, initiator. */
  readonly remoteStaticKey?: Uint8Array
  /** 32 bytes: XXpsk3, NNpsk0. */
  readonly psk?: Uint8Array
}

/** The two transport keys, by direction, and the hash that binds what follows to this handshake. */
export interface NoiseResult {
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
  /** 64 bytes. */
  readonly handshakeHash: Uint8Array
}

interface SavedState {
  readonly remoteEphemeral: Uint8Array | undefined
  readonly remoteStatic: Uint8Array | undefined
  readonly chainingKey: Uint8Array
  readonly hash: Uint8Array
  readonly key: Uint8Array | undefined
  readonly nonce: number
}

type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk'

const PATTERNS: Record<NoisePattern, { readonly responderKnown: boolean; readonly messages: readonly Token[][] }> = {
  XX: { responderKnown: false, messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
  XXpsk3: { responderKnown: false, messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']] },
  NNpsk0: {
    responderKnown: false,
    messages: [
      ['psk', 'e'],
      ['e', 'ee'],
    ],
  },
  IK: {
    responderKnown: true,
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
}

const KEY_BYTES = 32
const TAG_BYTES = 16
const HASH_BYTES = 64
const BLOCK_BYTES = 128
const EMPTY = new Uint8Array(0)

/**
 * One run of a Noise handshake (docs/spec/link.md, Noise revision 34 §5). Messages alternate, the initiator first.
 * A message that does not hold leaves the state as it was, so that a forged one cannot end the handshake.
 * Calls out of turn are the caller's mistake (TypeError).
 */
export class NoiseHandshake {
  readonly #crypto: Crypto
  readonly #options: NoiseOptions
  readonly #messages: readonly Token[][]
  readonly #mixesEphemeral: boolean
  #next = 0
  #wiped = false
  #remoteEphemeral: Uint8Array | undefined
  #remoteStatic: Uint8Array | undefined
  // Every value is replaced, never changed in place, until nothing can go back to it: a saved reference is a saved state.
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #key: Uint8Array | undefined
  #nonce = 0
  /** Before the message at hand. */
  #before: SavedState | undefined
  /** Before the message read last. */
  #beforeRead: SavedState | undefined

  constructor(options: NoiseOptions) {
    const { crypto, pattern, initiator } = options
    const { messages, responderKnown } = PATTERNS[pattern]
    checkOptions(options, messages, responderKnown)
    this.#crypto = crypto
    this.#options = options
    this.#messages = messages
    this.#mixesEphemeral = options.psk !== undefined
    this.#remoteStatic = options.remoteStaticKey
    const name = encodeUtf8(`Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`)
    this.#hash = new Uint8Array(HASH_BYTES)
    this.#hash.set(name)
    this.#chainingKey = this.#hash
    this.#mixHash(options.prologue)
    if (responderKnown) this.#mixHash(initiator ? options.remoteStaticKey! : options.staticKey!.publicKey)
  }

  /** Own ephemeral public key: what the first message shows, and what glare is settled by. */
  get ephemeralPublicKey(): Uint8Array {
    return this.#options.ephemeralKey.publicKey
  }

  /** The peer's static key: proven once a message that mixes it was read. */
  get remoteStaticKey(): Uint8Array | undefined {
    return this.#remoteStatic
  }

  /** Whether all messages went. */
  get finished(): boolean {
    return this.#next === this.#messages.length
  }

  /** The next message, or `undefined` where the peer's key gives an all-zero secret. */
  writeMessage(payload: Uint8Array): Uint8Array | undefined {
    return this.#transact(true, () => {
      const parts: Uint8Array[] = []
      for (const token of this.#messages[this.#next]!) {
        if (token === 'e') {
          parts.push(this.ephemeralPublicKey)
          this.#mixPublicEphemeral(this.ephemeralPublicKey)
        } else if (token === 's') {
          parts.push(this.#encryptAndHash(this.#options.staticKey!.publicKey))
        } else this.#mixSecret(token)
      }
      parts.push(this.#encryptAndHash(payload))
      return concatBytes(...parts)
    })
  }

  /** The payload of the peer's next message, or `undefined` where the message does not hold. */
  readMessage(message: Uint8Array): Uint8Array | undefined {
    return this.#transact(false, () => {
      let at = 0
      const take = (length: number): Uint8Array | undefined => {
        if (message.length - at < length) return undefined
        at += length
        return message.subarray(at - length, at)
      }
      for (const token of this.#messages[this.#next]!) {
        if (token === 'e') {
          const ephemeral = take(KEY_BYTES)?.slice()
          if (ephemeral === undefined) return undefined
          this.#remoteEphemeral = ephemeral
          this.#mixPublicEphemeral(ephemeral)
        } else if (token === 's') {
          const sealed = take(KEY_BYTES + (this.#key === undefined ? 0 : TAG_BYTES))
          const remoteStatic = sealed && this.#decryptAndHash(sealed)
          if (remoteStatic === undefined) return undefined
          this.#remoteStatic = remoteStatic
        } else this.#mixSecret(token)
      }
      return this.#decryptAndHash(message.subarray(at))
    })
  }

  /** Takes back the message read last, as if it had not come: for one whose payload is refused. */
  unread(): void {
    if (this.#beforeRead === undefined) throw new TypeError('no message was read last')
    this.#restore(this.#beforeRead)
    this.#beforeRead = undefined
    this.#next--
  }

  /** The keys, after the last message; all other secrets of the handshake are given up. */
  split(): NoiseResult {
    if (!this.finished || this.#wiped) throw new TypeError('the handshake is not finished, or over')
    const [first, second] = this.#hkdf(EMPTY, 2)
    const forward = first!.slice(0, KEY_BYTES)
    const backward = second!.slice(0, KEY_BYTES)
    wipe(first!, second!)
    this.wipe()
    const { initiator } = this.#options
    return {
      sendKey: initiator ? forward : backward,
      receiveKey: initiator ? backward : forward,
      handshakeHash: this.#hash.slice(),
    }
  }

  /** Gives up all secrets, of a handshake that will not be finished. Nothing but its public keys is of use afterwards. */
  wipe(): void {
    this.#wiped = true
    this.#options.ephemeralKey.wipe()
    if (this.#beforeRead !== undefined) this.#giveUp(this.#beforeRead)
    this.#beforeRead = undefined
    wipe(this.#chainingKey)
    if (this.#key !== undefined) wipe(this.#key)
  }

  #transact(write: boolean, run: () => Uint8Array | undefined): Uint8Array | undefined {
    const ours = (this.#next % 2 === 0) === this.#options.initiator
    if (this.finished || this.#wiped || ours !== write)
      throw new TypeError(`no message is to be ${write ? 'written' : 'read'} now`)
    const before = this.#save()
    this.#before = before
    let result: Uint8Array | undefined
    try {
      result = run()
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
    }
    if (result === undefined) {
      const failed = this.#save()
      this.#restore(before)
      this.#giveUp(failed)
      return undefined
    }
    this.#next++
    // A message that was read can be taken back until the next one is written.
    if (write) {
      if (this.#beforeRead !== undefined) this.#giveUp(this.#beforeRead)
      this.#giveUp(before)
    }
    this.#beforeRead = write ? undefined : before
    return result
  }

  #save(): SavedState {
    return {
      remoteEphemeral: this.#remoteEphemeral,
      remoteStatic: this.#remoteStatic,
      chainingKey: this.#chainingKey,
      hash: this.#hash,
      key: this.#key,
      nonce: this.#nonce,
    }
  }

  #restore(saved: SavedState): void {
    this.#remoteEphemeral = saved.remoteEphemeral
    this.#remoteStatic = saved.remoteStatic
    this.#chainingKey = saved.chainingKey
    this.#hash = saved.hash
    this.#key = saved.key
    this.#nonce = saved.nonce
  }

  /** Zeroes the secrets of a state that nothing goes back to, but for those still in use. */
  #giveUp({ chainingKey, key }: SavedState): void {
    if (chainingKey !== this.#chainingKey) wipe(chainingKey)
    if (key !== undefined && key !== this.#key) wipe(key)
  }

  #mixPublicEphemeral(publicKey: Uint8Array): void {
    this.#mixHash(publicKey)
    if (this.#mixesEphemeral) this.#mixKey(publicKey)
  }

  #mixSecret(token: Exclude<Token, 'e' | 's'>): void {
    if (token === 'psk') {
      const [chainingKey, hash, key] = this.#hkdf(this.#options.psk!, 3)
      this.#mixHash(hash!)
      this.#replace(chainingKey!, key!)
      return
    }
    // Of a token's two letters the first is the initiator's key, the second the responder's.
    const own = this.#options.initiator ? token[0] : token[1]
    const theirs = this.#options.initiator ? token[1] : token[0]
    const publicKey = theirs === 'e' ? this.#remoteEphemeral! : this.#remoteStatic!
    const secret = own === 'e' ? this.#options.ephemeralKey.agree(publicKey) : this.#options.staticKey!.agree(publicKey)
    this.#mixKey(secret)
    wipe(secret)
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.blake2b(concatBytes(this.#hash, data), { length: HASH_BYTES })
  }

  #mixKey(input: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(input, 2)
    this.#replace(chainingKey!, key!)
  }

  /** Moves to new secrets; those that a message passes through on its way are zeroed at once. */
  #replace(chainingKey: Uint8Array, longKey: Uint8Array): void {
    const passed = { chainingKey: this.#chainingKey, key: this.#key }
    this.#chainingKey = chainingKey
    this.#key = longKey.slice(0, KEY_BYTES)
    this.#nonce = 0
    wipe(longKey)
    if (passed.chainingKey !== this.#before?.chainingKey) wipe(passed.chainingKey)
    if (passed.key !== undefined && passed.key !== this.#before?.key) wipe(passed.key)
  }

  #encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed =
      this.#key === undefined
        ? plaintext
        : this.#crypto.seal(this.#key, counterNonce(this.#nonce++), this.#hash, plaintext)
    this.#mixHash(sealed)
    return sealed
  }

  #decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext =
      this.#key === undefined
        ? sealed.slice()
        : this.#crypto.open(this.#key, counterNonce(this.#nonce++), this.#hash, sealed)
    if (plaintext !== undefined) this.#mixHash(sealed)
    return plaintext
  }

  /** HKDF of Noise §4.3 from the chaining key: `outputs` values of 64 bytes. */
  #hkdf(input: Uint8Array, outputs: 2 | 3): Uint8Array[] {
    const secret = this.#hmac(this.#chainingKey, input)
    const values: Uint8Array[] = []
    for (let index = 1; index <= outputs; index++) {
      values.push(this.#hmac(secret, concatBytes(values.at(-1) ?? EMPTY, Uint8Array.of(index))))
    }
    wipe(secret)
    return values
  }

  /** RFC 2104 over BLAKE2b-512; keys here are 64 bytes, half a block. */
  #hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
    const inner = new Uint8Array(BLOCK_BYTES + data.length)
    const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES)
    for (let at = 0; at < BLOCK_BYTES; at++) {
      const byte = key[at] ?? 0
      inner[at] = byte ^ 0x36
      outer[at] = byte ^ 0x5c
    }
    inner.set(data, BLOCK_BYTES)
    outer.set(this.#crypto.blake2b(inner, { length: HASH_BYTES }), BLOCK_BYTES)
    const code = this.#crypto.blake2b(outer, { length: HASH_BYTES })
    wipe(inner, outer)
    return code
  }
}

function checkOptions(options: NoiseOptions, messages: readonly Token[][], responderKnown: boolean): void {
  const { pattern, initiator, staticKey, remoteStaticKey, psk } = options
  const tokens = messages.flat()
  if (tokens.includes('psk') !== (psk !== undefined)) throw new TypeError(`${pattern} and the psk do not go together`)
  if (psk !== undefined && psk.length !== KEY_BYTES) throw new RangeError('a psk takes 32 bytes')
  if (tokens.includes('s') && staticKey === undefined) throw new TypeError(`${pattern} needs a static key`)
  if ((responderKnown && initiator) !== (remoteStaticKey !== undefined)) {
    throw new TypeError(`only the initiator of IK knows the responder's static key beforehand`)
  }
}

/** 4 zero bytes, then the counter as u64 little-endian (Noise §12). */
function counterNonce(counter: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(4, counter, true)
  return nonce
}
