// Short names for the generated schemas of plans, files and stored output.
import type { components } from './schema'

type Schemas = components['schemas']

export type ExecutionPlan = Schemas['ExecutionIn']
export type PlanStep = Schemas['StepIn']
export type PlanPreview = Schemas['Preview']
export type HostPreview = Schemas['HostPreview']
export type StrategyPlan = Schemas['StrategyIn']
export type FilePushPlan = Schemas['FilePush']
export type FileCollectPlan = Schemas['FileCollect']
export type StoredFile = Schemas['FileOut']
export type StoredUsage = Schemas['UsageOut']
export type OutputGroup = Schemas['ExecutionGroupOut']
export type OutputGroups = Schemas['GroupsOut']
/** The generated client widens pairs to lists. */
export type OutputMatch = Omit<Schemas['MatchOut'], 'highlights'> & { highlights: number[][] }
export type StoredLine = Schemas['LineOut']
export type BulkStopped = Schemas['BulkStopOut']
