/** Thousands of nodes in virtual time, from one seed: the same cores as in production (docs/guides/simulator.md). */
export { Air } from './air.ts'
export { type FaultKind, type FaultPlan, Faults } from './faults.ts'
export { EVENTS_MAX, SimNode, type SimNodeOptions } from './sim-node.ts'
export { Simulation, type SimulationOptions } from './simulation.ts'
export { type Edge, geometric, ring, smallWorld } from './topology.ts'
export { WIRE_DEFAULT, Wire, type WireOptions, type WireTraffic } from './wire.ts'
