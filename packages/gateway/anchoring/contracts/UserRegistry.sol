// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Treasury} from "./Treasury.sol";

/// @title Users by address, with credits that they start with and buy (docs/spec/anchoring.md)
contract UserRegistry is Treasury {
    uint256 public constant CREDIT_PRICE = 0.001 ether;
    uint64 public constant CREDITS_AT_START = 100;
    /// Credits of one purchase; so that the sum of a user's credits fits for ever.
    uint64 public constant CREDITS_MAX = 1_000_000;
    uint256 public constant DID_BYTES_MAX = 255;

    struct User {
        bool registered;
        uint64 credits;
    }

    mapping(address account => User) public users;

    event UserRegistered(address indexed user, string did, uint64 credits);
    event CreditsAdded(address indexed user, uint64 added, uint64 credits);

    error AlreadyRegistered();
    error NotRegistered();
    /// A DID has 1 to 255 bytes.
    error WrongDid(uint256 size);
    /// A purchase is of 1 to 1 000 000 credits.
    error WrongCount(uint64 count);

    constructor(address owner) Treasury(owner) {}

    /// Registers the sender, once. That it controls the DID is for others to check: its document names the address.
    function register(string calldata did) external {
        if (users[msg.sender].registered) revert AlreadyRegistered();
        uint256 size = bytes(did).length;
        if (size == 0 || size > DID_BYTES_MAX) revert WrongDid(size);
        users[msg.sender] = User({registered: true, credits: CREDITS_AT_START});
        emit UserRegistered(msg.sender, did, CREDITS_AT_START);
    }

    /// Adds `count` credits to the sender's for exactly `count` times the price.
    function buyCredits(uint64 count) external payable {
        User storage user = users[msg.sender];
        if (!user.registered) revert NotRegistered();
        if (count == 0 || count > CREDITS_MAX) revert WrongCount(count);
        _mustPay(count * CREDIT_PRICE);
        user.credits += count;
        emit CreditsAdded(msg.sender, count, user.credits);
    }
}
