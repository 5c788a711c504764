/** An RNode in software and pseudo-terminals, to test serial transports without devices (docs/spec/rnode.md). */
export { RNodeEmulator, type RNodeEmulatorOptions } from './emulator.ts'
export { openCable, openPty, type Pty } from './pty.ts'
