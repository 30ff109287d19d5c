export {
  type AnalysisLimits,
  analysisLimitsSchema,
  analysisLimitsShape,
  defaultAnalysisLimits,
} from './analysis-limits.ts'
export {
  clockToleranceMs,
  isExpired,
  judgeManifest,
  type Judgement,
  type ManifestCandidate,
  type SeenManifest,
} from './acceptance.ts'
export { type BuildRecord, buildRecordSchema } from './build-record.ts'
export { canonicalJson } from './canonical-json.ts'
export { type Digest, digestHex, digestOf, digestSchema, shortDigest } from './digest.ts'
export {
  parseBuildRecord,
  parseGroupDocument,
  parseManifest,
  parseQuarantineDocument,
  parseRelease,
  parseTrustRoot,
} from './documents.ts'
export { type SignedDocument, type SignedKind, signDocument, signedSizeLimit } from './envelope.ts'
export { type FreezeWindow } from './freeze-window.ts'
export { environmentNameSchema, functionNameSchema, nameSegmentSchema } from './function-name.ts'
export {
  type CoveredHold,
  defaultRollbackWindowMs,
  type FunctionState,
  type GroupDocument,
  type Hold,
  previousReleasesKept,
  type PrometheusCheck,
  type ReleaseRef,
  type Rollout,
  type RolloutStep,
  type StepApproval,
} from './group-document.ts'
export {
  callsOf,
  type InstanceReport,
  type ReportedFunction,
  type ReportedRefusal,
  type ReportedRollout,
  type ReportedSide,
  type ReportedStableFailure,
  type ReportedStableTrip,
  type ReportedStep,
  type ReportedTrip,
} from './instance-report.ts'
export { instanceReportSchema } from './instance-report-schema.ts'
export { type Jwk, keyIdOf } from './key-id.ts'
export {
  knownFeatures,
  type Manifest,
  manifestLifetimeMs,
  manifestSchema,
  type ObjectRef,
} from './manifest.ts'
export { objectKey } from './object-key.ts'
export { type Probe, probeLimits, probesSchema } from './probe.ts'
export {
  findQuarantined,
  type QuarantineDocument,
  quarantineDocumentSchema,
  type QuarantineEntry,
} from './quarantine.ts'
export {
  type Contract,
  type JsonSchema,
  type Provenance,
  type Release,
  releaseSchema,
} from './release.ts'
export {
  type HttpMethod,
  httpMethods,
  type Settings,
  settingsDefaults,
  settingsSchema,
} from './settings.ts'
export {
  type DecisionEvidence,
  decisionsPerManifest,
  type RolloutDecision,
} from './rollout-decision.ts'
export { settingsDigestOf } from './settings-digest.ts'
export { createSigner, generateSigningKey, type Signer, type SigningKey } from './signing-key.ts'
export { sizeLimit } from './size-limit.ts'
export type { StickyKeySource } from './sticky-key-source.ts'
export {
  type Role,
  type RoleKeys,
  roles,
  type SignatureAlgorithm,
  type TrustedKey,
  type TrustRoot,
  trustRootSchema,
} from './trust-root.ts'
export {
  isPreviewEnvironment,
  type Verified,
  verifyManifest,
  verifyRelease,
  verifyTrustRoot,
} from './verify.ts'
