import { readFileSync } from 'node:fs'
import type { Crypto } from '@nexus/crypto'
import {
  cloudflareIngress,
  directIngress,
  ethereumAdapter,
  type IdentityAdapter,
  type Ingress,
  iotexAdapter,
  ngrokIngress,
  peaqAdapter,
  proxyIngress,
  telegramAdapter,
  tonAdapter,
} from '@nexus/sentry'
import { fetchAccessKeys } from '@nexus/sentry/node'
import type { Config } from '../config/schema.ts'

/** Where requests come through, as the configuration has it. */
export function ingressOf(config: Config['ingress']): Ingress {
  switch (config.kind) {
    case 'none':
      return directIngress()
    case 'proxy':
      return proxyIngress(config)
    case 'ngrok':
      return ngrokIngress(config.agent === undefined ? {} : { agent: config.agent })
    case 'cloudflare': {
      const { tunnel, access } = config
      const fetchKeys = access && (() => fetchAccessKeys(access.issuer))
      return cloudflareIngress({
        ...(tunnel && { tunnel }),
        ...(access && fetchKeys && { access: { ...access, fetchKeys } }),
      })
    }
  }
}

/** The logins that are configured. */
export function adaptersOf(crypto: Crypto, logins: Config['logins']): IdentityAdapter[] {
  const { telegram, ethereum, ton, peaq, iotex } = logins
  const adapters: IdentityAdapter[] = []
  if (telegram) adapters.push(telegramAdapter(crypto, readFileSync(telegram.botTokenFile, 'utf8').trim()))
  if (ethereum) adapters.push(ethereumAdapter(ethereum))
  if (peaq) adapters.push(peaqAdapter(crypto, peaq))
  if (iotex) adapters.push(iotexAdapter(crypto, iotex))
  if (ton) adapters.push(tonAdapter(crypto, ton))
  return adapters
}
