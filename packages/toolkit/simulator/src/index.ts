/** Thousands of nodes in virtual time, from one seed: the same cores as in production (docs/guides/simulator.md). */
export { Air } from './air.ts'
export { SimNode, type SimNodeOptions } from './sim-node.ts'
export { Simulation, type SimulationOptions } from './simulation.ts'
export { WIRE_DEFAULT, Wire, type WireOptions, type WireTraffic } from './wire.ts'
