import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const STOP_MS_MAX = 5_000
const ANSWER_MS_MAX = 60_000

export type Value = string | number | boolean | null | undefined
export type Values = Readonly<Record<string, Value>>

type Answer = { readonly values: Values } | { readonly error: string }

/** A child process that answers one question at a time. */
export interface Child {
  /** @throws {Error} where the child fails, ends, or does not answer in time */
  ask(question: string, values?: Values): Promise<Values>
  stop(): Promise<void>
}

/** Runs a role, a file of `roles/`, in a process of its own. */
export function startRole(role: string, args: readonly string[] = []): Child {
  const source = fileURLToPath(new URL(`./roles/${role}.ts`, import.meta.url))
  return startProgram(role, source, args, ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning'])
}

/** Runs a program that answers as roles do, under a name for messages. */
export function startProgram(
  role: string,
  file: string,
  args: readonly string[],
  nodeOptions: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Child {
  const child = fork(file, [...args], {
    execArgv: [...nodeOptions],
    env,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return {
    ask: (question, values = {}) => answerOf(role, child, () => child.send({ question, values })),
    stop: () => stopped(child),
  }
}

/** Answers the questions of {@link startRole}'s caller, and ends with it. */
export function serve(handlers: Readonly<Record<string, (values: Values) => Values | Promise<Values>>>): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', async ({ question, values }: { question: string; values: Values }) => {
    try {
      const handler = handlers[question]
      if (handler === undefined) throw new Error(`no such question: ${question}`)
      process.send!({ values: await handler(values) })
    } catch (error) {
      process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
}

function answerOf(role: string, child: ChildProcess, send: () => void): Promise<Values> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(
      () => settle(new Error(`${role} did not answer within ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    )
    const onMessage = (answer: Answer) =>
      'error' in answer ? settle(new Error(`${role}: ${answer.error}`)) : settle(answer.values)
    const onExit = (code: number | null) => settle(new Error(`${role} ended with ${code}`))
    const settle = (result: Values | Error) => {
      clearTimeout(limit)
      child.removeListener('message', onMessage)
      child.removeListener('exit', onExit)
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    child.on('message', onMessage)
    child.on('exit', onExit)
    send()
  })
}

export function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    child.once('exit', () => {
      clearTimeout(limit)
      resolve()
    })
    if (child.connected) child.disconnect()
    else child.kill()
  })
}
