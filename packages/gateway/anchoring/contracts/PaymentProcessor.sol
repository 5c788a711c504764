// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Treasury} from "./Treasury.sol";

/// @title Subscriptions of 30 days in two tiers (docs/spec/anchoring.md)
contract PaymentProcessor is Treasury {
    uint256 public constant PRICE_1 = 0.01 ether;
    uint256 public constant PRICE_2 = 0.1 ether;
    uint64 public constant TERM = 30 days;

    struct Subscription {
        uint8 tier;
        uint64 expiry;
    }

    mapping(address account => Subscription) public subscriptions;

    event SubscriptionCreated(address indexed user, uint8 tier, uint64 expiry);

    /// There are tiers 1 and 2.
    error WrongTier(uint8 tier);

    constructor(address owner) Treasury(owner) {}

    /// Subscribes the sender for exactly the tier's price. A running subscription is extended by 30 days; in another
    /// tier, what is left of it counts for what it cost, so that no change of tiers buys time below its price.
    function subscribe(uint8 tier) external payable {
        uint256 price = priceOf(tier);
        _mustPay(price);
        Subscription storage held = subscriptions[msg.sender];
        uint256 left = 0;
        if (held.expiry > block.timestamp) {
            left = held.expiry - block.timestamp;
            if (held.tier != tier) left = (left * priceOf(held.tier)) / price;
        }
        uint64 expiry = uint64(block.timestamp + left + TERM);
        subscriptions[msg.sender] = Subscription({tier: tier, expiry: expiry});
        emit SubscriptionCreated(msg.sender, tier, expiry);
    }

    /// Price of 30 days, in the smallest unit.
    function priceOf(uint8 tier) public pure returns (uint256) {
        if (tier == 1) return PRICE_1;
        if (tier == 2) return PRICE_2;
        revert WrongTier(tier);
    }
}
