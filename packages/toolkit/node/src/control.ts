/** The control socket of a node: a local socket that only its user can open (docs/spec/control.md). */
export { ControlClient, ControlUnreachableError, connectControl } from './control/client.ts'
export { ControlServer } from './control/server.ts'
