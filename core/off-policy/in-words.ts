/** A value of an outcome, which is in 0..1: `0.0312`. */
export function amount(value: number): string {
  return value.toFixed(4);
}

/** A difference of values: `+0.0021` or `-0.0021`. */
export function signed(difference: number): string {
  return `${difference < 0 ? "-" : "+"}${amount(Math.abs(difference))}`;
}

/** `12,345` */
export function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

/** A share, 0..1, as `12.5 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
