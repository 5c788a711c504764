import type { NodeType } from '@nexus/anchor-truth'

/** The ten nodes that `nexus-segment demo` shows: a camp, with egos that say who should lead. */
export interface PlannedStation {
  readonly name: string
  readonly type: NodeType
  readonly zone: string
  readonly ego: number
}

export const PLAN: readonly PlannedStation[] = [
  { name: 'gate', type: 'Bridge', zone: 'Command', ego: 60 },
  { name: 'tower', type: 'Rig-Hub', zone: 'Command', ego: 50 },
  { name: 'scout', type: 'Agent', zone: 'Command', ego: 10 },
  { name: 'ward', type: 'Rig-Hub', zone: 'Medical', ego: 40 },
  { name: 'clinic', type: 'Agent', zone: 'Medical', ego: 30 },
  { name: 'triage', type: 'Agent', zone: 'Medical', ego: 20 },
  { name: 'depot', type: 'Rig-Hub', zone: 'Logistics', ego: 40 },
  { name: 'store', type: 'Agent', zone: 'Logistics', ego: 30 },
  { name: 'truck', type: 'Data-Mule', zone: 'Logistics', ego: 10 },
  { name: 'mule', type: 'Data-Mule', zone: 'Logistics', ego: 10 },
]
