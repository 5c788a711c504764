import type { Medium } from '../model/topology.ts'

export const MEDIUM_NAMES: Record<Medium, string> = {
  memory: 'In memory',
  udp: 'UDP',
  tcp: 'TCP',
  serial: 'Serial',
  lora: 'LoRa',
  websocket: 'WebSocket',
  reticulum: 'Reticulum',
}

/** The name of a medium that a trace reports; another word for one that is not known here. */
export function mediumName(medium: string): string {
  return Object.hasOwn(MEDIUM_NAMES, medium) ? MEDIUM_NAMES[medium as Medium] : medium
}
