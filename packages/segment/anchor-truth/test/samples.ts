import {
  ADMISSION,
  type AdmissionName,
  type Epoch,
  type Pulse,
  type Request,
  type Source,
  signEpoch,
  signPulse,
  signRequest,
} from '@nexus/anchor-truth'
import { portable } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'

export const crypto = portable()
export const identity = createIdentity(crypto, new Uint8Array(32).fill(0x11))
export const source: Source = {
  address: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7),
  port: 19_541,
}
export const key = new Uint8Array(32).fill(0x22)

export const pulseFields: Omit<Pulse, 'kind' | 'publicKey' | 'signature' | 'mac'> = {
  epochId: new Uint8Array(8).fill(0x33),
  boot: 3,
  sequence: 70_000,
  uptimeSeconds: 3_600,
  ego: 10,
  isAnchor: true,
  missed: 2,
  type: 'Rig-Hub',
  zoneHash: new Uint8Array(4).fill(0x44),
  name: 'Pumpe 1 – Süd',
}
export const requestFields: Omit<Request, 'kind' | 'publicKey' | 'signature'> = {
  boot: 3,
  sequence: 1,
  ego: 10,
  zoneHash: new Uint8Array(4).fill(0x44),
  nonce: new Uint8Array(16).fill(0x55),
}

export function epochFields(
  admission: AdmissionName,
  count: number,
): Omit<Epoch, 'kind' | 'publicKey' | 'signature' | 'mac'> {
  const answers = Array.from({ length: count }, (_, at) => ({
    nonceHead: new Uint8Array(8).fill(at),
    ...(admission === 'passphrase' ? {} : { sealedKey: new Uint8Array(48).fill(at + 1) }),
  }))
  return { admission, ego: 200, boot: 1, sequence: 2, epoch: 9, salt: new Uint8Array(32).fill(0x66), answers }
}

export const pulse = signPulse(crypto, identity, source, key, pulseFields)
export const request = signRequest(identity, source, requestFields)
export const epochs = (Object.keys(ADMISSION) as AdmissionName[]).map((admission) =>
  signEpoch(crypto, identity, source, key, epochFields(admission, 3)),
)
