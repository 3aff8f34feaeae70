/** What of a device's features matters to a program that redirects frames. */

/** Asks the kernel; close() when nobody asks any more. */
export interface LinkFeatures {
  /**
   * Whether the driver transmits what a native program on another device redirects to it. A veth device does when its
   * other end has a program or GRO.
   */
  isRedirectTarget(ifindex: number, name: string): boolean;
  /** Makes the device leave VLAN tags in the frames that it receives; returns why it cannot. */
  keepVlanTags(ifindex: number): string | undefined;
  close(): void;
}
