import { hashUnit, prepareSeed } from "../bucketing/murmur3.ts";

const HASHES = 0x1_0000_0000;

/**
 * Which users a challenger takes over while it is ramped up to `share` of the model's users. The same ones first whatever the
 * challenger, and whoever was taken over stays so while the share rises.
 */
export function rampGroup(featureKey: string): (unit: string, share: number) => boolean {
  const seed = prepareSeed(`${featureKey}#ramp`);
  return (unit, share) => hashUnit(seed, unit) / HASHES < share;
}
