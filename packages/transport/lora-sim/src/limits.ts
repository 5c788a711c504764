/** Payload of one LoRa radio packet, header byte of the split form included: the length field is one byte. */
export const RADIO_PACKET_BYTES_MAX = 255
/** Header byte that RNodes put before every radio packet (docs/spec/lora.md). */
export const RADIO_HEADER_BYTES = 1
/** Frame bytes in one radio packet. */
export const RADIO_PART_BYTES_MAX = RADIO_PACKET_BYTES_MAX - RADIO_HEADER_BYTES
/** A frame is at most two radio packets. */
export const LORA_FRAME_BYTES_MAX = 2 * RADIO_PART_BYTES_MAX
/** Sequence numbers of the split form: the upper four bits of the header. One half frame is kept for each. */
export const SPLIT_SEQUENCES = 16

export const SPREADING_FACTOR_MIN = 5
export const SPREADING_FACTOR_MAX = 12
export const BANDWIDTH_HZ_MIN = 7_800
export const BANDWIDTH_HZ_MAX = 1_625_000
/** Denominators of the coding rates 4/5 to 4/8. */
export const CODING_RATE_MIN = 5
export const CODING_RATE_MAX = 8
export const PREAMBLE_SYMBOLS_MIN = 6
export const PREAMBLE_SYMBOLS_MAX = 65_535

/** Radios on one channel. */
export const RADIOS_MAX = 100_000
/** Positions lie within this distance of the origin on both axes, in metres. */
export const POSITION_METERS_MAX = 10_000_000

/** EN 300 220: the duty cycle is reckoned over one hour. */
export const DUTY_WINDOW_MS = 3_600_000
/** The hour is kept in this many counters. */
export const DUTY_BUCKETS = 60

/** Bytes of radio packets that wait for the medium in one station: two dozen full frames. */
export const STATION_QUEUE_BYTES_MAX = 24 * 2 * RADIO_PACKET_BYTES_MAX

/** Radios, by name, of one simulated air that is driven in real time; those that have left keep their places. */
export const AIR_RADIOS_MAX = 256
export const AIR_NAME_CHARACTERS_MAX = 64
/** Events that an air works off before it lets the event loop turn. */
export const AIR_EVENTS_PER_TURN = 1_000
/** Connections to one air server, controls included. */
export const AIR_CONNECTIONS_MAX = AIR_RADIOS_MAX + 16
/** A connection that has not joined by then is closed. */
export const AIR_JOIN_MS_MAX = 5_000
/** Body of one message between an air server and its client. */
export const AIR_MESSAGE_BYTES_MAX = 2_048
/** Bytes that may wait in a server's socket before that client is cut off. */
export const AIR_BACKLOG_BYTES_MAX = 256 * 1_024
export const AIR_TOKEN_BYTES = 16
