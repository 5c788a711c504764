import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { EXIT } from '../src/cli/exit-codes.ts'
import { completionScript } from '../src/commands/completions.ts'
import { programs, umbrellaCommand } from '../src/commands/programs.ts'
import { Bench } from './harness.ts'

const bench = new Bench()
afterAll(() => bench.end())

/** A configuration file in a folder of its own, by its text. */
function config(name: string, text: string): string[] {
  const path = bench.path(name)
  writeFileSync(path, text)
  return ['--config', path]
}

describe('the configuration', () => {
  test('is checked before anything is done: file, line, key, what is expected, what was meant', async () => {
    const toml = config(
      'wrong.toml',
      'label = "roof"\nroundMs = "slow"\n\n[page]\nprot = 1\n\n[[interfaces]]\ntype = "upd"\n',
    )
    const yaml = config('wrong.yaml', 'label: roof\nadmission: trust\ninterfaces:\n  - type: udp\n    port: 99999\n')
    const syntax = config('syntax.toml', 'label = "roof"\npage = [\n')
    const [wrongToml, wrongYaml, wrongSyntax, missing, wrongName] = await Promise.all([
      bench.run('a', 'nexus-node', ['config', 'check', ...toml]),
      bench.run('a', 'nexus-node', ['start', ...yaml]),
      bench.run('a', 'nexus-node', ['config', 'check', ...syntax]),
      bench.run('a', 'nexus-node', ['config', 'check', '--config', bench.path('none.toml')]),
      bench.run('a', 'nexus-node', ['config', 'check', ...config('nexus.ini', '')]),
    ])
    for (const ended of [wrongToml, wrongYaml, wrongSyntax, missing, wrongName])
      expect(ended).toMatchObject({ code: EXIT.config, out: '' })
    expect(wrongToml.err).toContain('wrong.toml:2: roundMs expected a number, got "slow"')
    expect(wrongToml.err).toContain('wrong.toml:5: page.prot is not a known setting; did you mean port?')
    expect(wrongToml.err).toMatch(
      /wrong\.toml:8: interfaces\.0\.type expected one of udp, .*got "upd"; did you mean udp\?/,
    )
    expect(wrongYaml.err).toContain(
      'wrong.yaml:2: admission expected one of open, trusted, got "trust"; did you mean trusted?',
    )
    expect(wrongYaml.err).toContain('wrong.yaml:5: interfaces.0.port expected a number of at most 65535, got 99999')
    expect(wrongSyntax.err).toMatch(/syntax\.toml:\d+: /)
    expect(missing.err).toContain('none.toml does not exist')
    expect(wrongName.err).toContain('ends in .toml, .yaml or .yml')
    expect(existsSync(bench.path('a'))).toBe(false)
  })

  test('comes from file, then variables, then flags', async () => {
    const file = config('nexus.toml', 'label = "file"\npolicy = "fastest"\nreceipts = "anyone"\n')
    const shown = await bench.run(
      'a',
      'nexus-node',
      ['config', 'show', '--json', ...file, '--label', 'flag', '-i', 'udp,port=5000,peers=a:1,peers=b:2', '--page'],
      '',
      { NEXUS_LABEL: 'variable', NEXUS_POLICY: 'cheapest', NEXUS_PAGE_PORT: '4999' },
    )
    expect(JSON.parse(shown.out)).toMatchObject({
      label: 'flag',
      policy: 'cheapest',
      receipts: 'anyone',
      interfaces: [{ type: 'udp', port: 5000, peers: ['a:1', 'b:2'], multicast: true }],
      page: { enabled: true, port: 4999 },
    })
    const people = await bench.run('a', 'nexus-node', ['config', 'show', ...file])
    const again = await bench.run('a', 'nexus-node', ['config', 'show', ...config('again.toml', people.out)])
    expect(again.out).toBe(people.out)
  })

  test('names the variable or flag that is wrong, and warns of variables that mean nothing', async () => {
    const wrong = await bench.run('a', 'nexus-node', ['config', 'check', '--round-ms', '5'], '', {
      NEXUS_PAGE_PORT: 'x',
    })
    expect(wrong.code).toBe(EXIT.config)
    expect(wrong.err).toContain('--round-ms: roundMs expected a number of at least 1000, got 5')
    expect(wrong.err).toContain('NEXUS_PAGE_PORT: page.port expected a number, got "x"')
    const meant = await bench.run('a', 'nexus-node', ['config', 'check', '--json'], '', { NEXUS_LABLE: 'x' })
    expect(JSON.parse(meant.out).warnings).toEqual(['the variable NEXUS_LABLE is not known; did you mean NEXUS_LABEL?'])
    const address = await bench.run('a', 'nexus-node', ['config', 'check', '-i', 'udp,port=1,peers=nowhere'])
    expect(address.err).toContain('expected host:port')
    const twice = await bench.run('a', 'nexus-node', ['config', 'check', '-i', 'udp', '-i', 'udp'])
    expect(twice.err).toContain('interfaces.1 (udp): udp:[::]:4242 is there already')
  })

  test('each way into a Reticulum network is checked by its own settings', async () => {
    const wrong = [
      '[[interfaces]]',
      'type = "reticulum"',
      'announceMs = 5',
      '[[interfaces.ways]]',
      'type = "tcp-client"',
      'adress = "127.0.0.1:4242"',
      '[[interfaces.ways]]',
      'type = "atuo"',
      '[[interfaces.ways]]',
      'type = "serial"',
      'path = "/dev/ttyUSB0"',
      'tnc = { bitrateBps = 1200, preamble = 1 }',
    ]
    const said = await bench.run('a', 'nexus-node', ['config', 'check', ...config('ways.toml', wrong.join('\n'))])
    expect(said.code).toBe(EXIT.config)
    expect(said.err).toContain('interfaces.0.announceMs expected a number of at least 60000, got 5')
    expect(said.err).toContain('ways.0.adress is not a known setting; did you mean address?')
    expect(said.err).toContain(
      'ways.1.type expected one of tcp-client, tcp-server, shared-instance, udp, auto, serial, rnode',
    )
    expect(said.err).toContain('did you mean auto?')
    expect(said.err).toContain('ways.2.tnc.preamble is not a known setting; did you mean preambleMs?')
    const way = (settings: object) => ['-i', JSON.stringify({ type: 'reticulum', ways: [settings] })]
    const check = (settings: object) => bench.run('a', 'nexus-node', ['config', 'check', ...way(settings)])
    const [modem, both, none, right] = await Promise.all([
      check({ type: 'serial', path: '/dev/ttyUSB0', tnc: { bitrateBps: 1_200 } }),
      check({ type: 'shared-instance', port: 1, instanceName: 'x' }),
      bench.run('a', 'nexus-node', ['config', 'check', '-i', 'reticulum']),
      check({ type: 'auto', devices: ['eth0'], networkName: 'ours', mode: 'gateway' }),
    ])
    expect(modem.err).toContain('interfaces.0 (reticulum): a radio modem needs framing kiss')
    expect(both.err).toContain('either port or instanceName')
    expect(none.err).toContain('interfaces.0.ways expected a list, nothing is given')
    expect(right).toMatchObject({ code: 0, err: '' })
  })
})

describe('the command line', () => {
  test('answers what it does not know with what was meant, and exit code 2', async () => {
    const [command, flag, argument, json, value] = await Promise.all([
      bench.run('a', 'nexus', ['stauts']),
      bench.run('a', 'nexus-node', ['start', '--lable', 'x']),
      bench.run('a', 'nexus-ping'),
      bench.run('a', 'nexus-ping', ['--json']),
      bench.run('a', 'nexus-ping', ['x', '--interval', 'soon']),
    ])
    for (const ended of [command, flag, argument, json, value])
      expect(ended).toMatchObject({ code: EXIT.usage, out: '' })
    expect(command.err).toContain('Did you mean status?')
    expect(flag.err).toContain('Did you mean --label?')
    expect(argument.err).toBe("nexus-ping: missing required argument 'to'\nTry: nexus-ping --help\n")
    expect(JSON.parse(json.err)).toEqual({ error: { code: 'usage', message: "missing required argument 'to'" } })
    expect(value.err).toContain('expected a duration such as 500ms')
  })

  test('help and version go to stdout; help has the exit codes', async () => {
    const [help, version, sub] = await Promise.all([
      bench.run('a', 'nexus-send', ['--help']),
      bench.run('a', 'nexus', ['--version']),
      bench.run('a', 'nexus', ['node', 'start', '--help']),
    ])
    for (const ended of [help, version, sub]) expect(ended).toMatchObject({ code: 0, err: '' })
    for (const code of Object.values(EXIT)) expect(help.out).toMatch(new RegExp(`^ {2}${code} {2}\\S`, 'm'))
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(sub.out).toContain('--page-port')
    expect(sub.out).toContain('--json')
  })

  test('completions know every command and flag', () => {
    const all = [umbrellaCommand(), ...programs()]
    const bash = completionScript('bash', all)
    expect(bash).toMatch(/"nexus-node config"\) words="check show --/)
    expect(bash).toMatch(/"nexus node start"\) words=".*--page-port.*--json.*--help"/)
    expect(bash).not.toContain('background')
    expect(bash).toContain('--color) COMPREPLY=($(compgen -W "auto always never"')
    expect(completionScript('zsh', [umbrellaCommand()])).toMatch(/^#compdef nexus\n/)
    expect(completionScript('fish', programs())).toContain(
      "complete -c nexus-peer -n 'not __fish_seen_subcommand_from add remove list' -f -a add",
    )
  })
})

describe('keys', () => {
  test('are made once, shown, split, put together, and given another passphrase', async () => {
    writeFileSync(bench.path('old'), 'old words\n', { mode: 0o600 })
    writeFileSync(bench.path('new'), 'new words\n', { mode: 0o600 })
    const file = bench.path('keys', 'identity')
    const old = ['--passphrase-file', bench.path('old')]
    const [made] = await bench.json<{ nodeId: string; encrypted: boolean }>('k', 'nexus-keygen', [
      'identity',
      '--out',
      file,
      ...old,
    ])
    expect(made?.encrypted).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const before = readFileSync(file)
    const [second, shown, locked] = await Promise.all([
      bench.run('k', 'nexus-keygen', ['identity', '--out', file, '--plain']),
      bench.json<{ nodeId: string }>('k', 'nexus-keygen', ['show', file, ...old]),
      bench.run('k', 'nexus-keygen', ['show', file]),
    ])
    expect(second).toMatchObject({ code: EXIT.failed, out: '' })
    expect(readFileSync(file)).toEqual(before)
    expect(shown[0]?.nodeId).toBe(made?.nodeId)
    expect(locked.code).toBe(EXIT.config)
    expect(locked.err).toContain('no terminal to ask for its passphrase')
    const shares = await bench.run('k', 'nexus-keygen', ['shares', 'split', file, '-k', '2', '-n', '3', ...old])
    const texts = shares.out.trim().split('\n')
    const mistyped = texts[0]!.slice(0, -9) + (texts[0]!.at(-9) === 'a' ? 'b' : 'a') + texts[0]!.slice(-8)
    expect(texts).toHaveLength(3)
    const restored = bench.path('restored')
    const [[combined], few, typo, changed] = await Promise.all([
      bench.json<{ nodeId: string }>(
        'k',
        'nexus-keygen',
        ['shares', 'combine', '--plain', '--out', restored],
        `${texts[2]}\n${texts[0]}\n`,
      ),
      bench.run('k', 'nexus-keygen', ['shares', 'combine', texts[0]!, '--plain', '--out', bench.path('few')]),
      bench.run('k', 'nexus-keygen', [
        'shares',
        'combine',
        mistyped,
        texts[1]!,
        '--plain',
        '--out',
        bench.path('typo'),
      ]),
      bench.run('k', 'nexus-keygen', ['passphrase', file, ...old, '--new-passphrase-file', bench.path('new')]),
    ])
    expect(combined?.nodeId).toBe(made?.nodeId)
    expect(few).toMatchObject({ code: EXIT.usage })
    expect(few.err).toContain('2 shares are needed, 1 are given')
    expect(typo.err).toContain('share 1:')
    expect(changed.code).toBe(0)
    expect((await bench.run('k', 'nexus-keygen', ['show', file, ...old])).code).toBe(EXIT.config)
    expect((await bench.run('k', 'nexus-keygen', ['show', file, '--passphrase-file', bench.path('new')])).code).toBe(0)
  })

  test('the key of a network is the same from the same passphrase', async () => {
    writeFileSync(bench.path('net'), 'Straße 7\n', { mode: 0o600 })
    mkdirSync(bench.path('n'))
    const make = (out: string) =>
      bench.run('n', 'nexus-keygen', [
        'network-key',
        '--passphrase-file',
        bench.path('net'),
        '--out',
        bench.path('n', out),
      ])
    const ended = await Promise.all([make('one'), make('two')])
    expect(ended.map(({ code }) => code)).toEqual([0, 0])
    const key = readFileSync(bench.path('n', 'one'), 'utf8')
    expect(key).toMatch(/^[0-9a-f]{64}\n$/)
    expect(readFileSync(bench.path('n', 'two'), 'utf8')).toBe(key)
    expect(statSync(bench.path('n', 'one')).mode & 0o777).toBe(0o600)
    expect((await make('one')).err).toContain('exists already')
  })
})
