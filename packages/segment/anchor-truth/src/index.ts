/** One anchor and one epoch key on a link-local segment, agreed on without votes (docs/spec/anchor-truth.md). */
export {
  type Admission,
  type EpochName,
  epochIdOf,
  openEpochKey,
  passphraseEpochKey,
  type Sealing,
  sealEpochKey,
  zoneHashOf,
} from './admission.ts'
export {
  ADMISSION,
  type AdmissionName,
  type Answer,
  type Datagram,
  decodeDatagram,
  decodeEpoch,
  decodePulse,
  decodeRequest,
  type Epoch,
  encodeEpoch,
  encodePulse,
  encodeRequest,
  KIND,
  NODE_TYPES,
  type NodeType,
  type Pulse,
  type Request,
} from './datagram.ts'
export { AnchorError, type AnchorErrorDetail } from './errors.ts'
export {
  DATAGRAM_BYTES_MAX,
  GROUP,
  HOP_LIMIT,
  NAME_BYTES_MAX,
  PORT,
  PULSE_BYTES_MAX,
  PULSE_MS,
  REQUEST_BYTES,
  SILENT_MS,
} from './limits.ts'
export { type Candidate, compareRank, type Rank, waitMsOf } from './order.ts'
export { isSignedFrom, macOf, pseudoHeader, type Source, signEpoch, signPulse, signRequest } from './proof.ts'
export { type MemberStatus, Segment, type SegmentStatus } from './segment.ts'
export { SequenceSource } from './sequence.ts'
export {
  type ChangeCause,
  DROP_REASONS,
  type DropReason,
  type Phase,
  type SegmentEvent,
  type SegmentOptions,
  type SegmentPorts,
} from './state.ts'
