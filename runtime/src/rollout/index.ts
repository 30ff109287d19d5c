export {
  type Breaker,
  type BreakerTrip,
  type CallSample,
  createBreaker,
  type SideCount,
  tripProbability,
} from './breaker.ts'
export { chooseSide, keyPercent, type Side, type SideChoice } from './choose-side.ts'
