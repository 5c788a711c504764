import type { Transport } from '@nexus/transport'
import { loraSim } from '@nexus/transport-lora-sim'
import { remoteAir } from '@nexus/transport-lora-sim/node'
import { rnode, serial } from '@nexus/transport-serial'
import { tcpClient, tcpServer } from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import { webSocketClient } from '@nexus/transport-websocket'
import { webSocketServer } from '@nexus/transport-websocket/server'
import { CommandFailure } from '../cli/failure.ts'
import type { InterfaceConfig } from '../config/interfaces.ts'
import { given } from './given.ts'
import { persistent } from './persistent.ts'
import { type ReticulumKeys, reticulumTransport } from './reticulum.ts'

/**
 * The transports of a configuration.
 * @param keys where they are to be started, and not only checked
 * @throws {CommandFailure} for a setting that only its transport could judge
 */
export function transportsOf(interfaces: readonly InterfaceConfig[], keys?: ReticulumKeys): Transport[] {
  const names = new Set<string>()
  return interfaces.map((config, at) => {
    try {
      const transport = persistent(() => transportOf(config, keys))
      if (names.has(transport.name) && !transport.name.includes(':0')) {
        throw new RangeError(`${transport.name} is there already`)
      }
      names.add(transport.name)
      return transport
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error
      throw new CommandFailure({
        exit: 'config',
        code: 'config-invalid',
        message: `interfaces.${at} (${config.type}): ${error.message}`,
      })
    }
  })
}

function transportOf(config: InterfaceConfig, keys: ReticulumKeys | undefined): Transport {
  switch (config.type) {
    case 'udp': {
      const { type: _, multicast, multicastInterfaces, ...options } = config
      const group = multicastInterfaces === undefined ? {} : { interfaces: multicastInterfaces }
      return udpTransport({ ...given(options), multicast: multicast ? group : false })
    }
    case 'tcp-server':
      return tcpServer(given(config))
    case 'tcp-client':
      return tcpClient(given(config))
    case 'websocket-server': {
      const { type: _, host, port, ...options } = config
      return webSocketServer({ ...given(options), listen: given({ host, port }) })
    }
    case 'websocket-client':
      return webSocketClient(given(config))
    case 'serial-kiss':
      return serial(given({ ...config, tnc: config.tnc && given(config.tnc) }))
    case 'rnode':
      return rnode(given(config))
    case 'reticulum':
      return reticulumTransport(config, keys)
    case 'lora-sim': {
      const { radio, airPort, airToken, dutyCycle } = config
      return loraSim({ air: remoteAir({ port: airPort, token: airToken }), radio, settings: given({ dutyCycle }) })
    }
  }
}
