export { type Clock, systemClock } from '../clock.ts'
export {
  isRuntimeError,
  RuntimeError,
  type RuntimeErrorCode,
  type RuntimeErrorOptions,
} from '../errors.ts'
export type {
  ArtifactStore,
  GetOptions,
  GetResult,
  ListedObject,
  PutCondition,
  PutOptions,
  PutResult,
  StoredObject,
} from './artifact-store.ts'
export { type Capability, probeStore, type StoreFinding } from './conditional-probe.ts'
export { createFileStore } from './file.ts'
export { createMemoryStore } from './memory.ts'
export { openStore } from './open-store.ts'
export { advanceTrust, type TrustAdvance } from './trust-chain.ts'
export {
  createVerifiedReader,
  type ManifestRead,
  type ReadOptions,
  type VerifiedReader,
} from './verified-reader.ts'
